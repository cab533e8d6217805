import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../admin/open-api';
import { RowIdPipe } from '../admin/row-id';
import { PreviewDto, PreviewRequestDto } from './preview.dto';
import { PreviewService } from './preview.service';

@ApiTags('accounts')
@Controller('admin/accounts')
export class PreviewController {
  constructor(private readonly previews: PreviewService) {}

  @Post(':id/preview')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Show the exact record that a read would send, and the steps to it; nothing is written or sent',
  })
  @ApiOkResponse({ type: PreviewDto })
  @ApiProblems(400, 404, 409, 413)
  preview(@Param('id', new RowIdPipe('account')) id: string, @Body() dto: PreviewRequestDto): Promise<PreviewDto> {
    return this.previews.preview(id, dto.source);
  }
}
